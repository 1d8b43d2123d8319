use dapr_secrets_service::{Metadata, SecretStore};

fn read(store: &dyn SecretStore) {
    let _ = store.bulk(&Metadata::default());
}

fn main() {}
