use dapr_secrets_service::{Metadata, SecretStore};

fn read(store: &dyn SecretStore) {
    let _ = store.get("root", &Metadata::default());
}

fn main() {}
