use dapr_secrets_service::{Metadata, Permit, SecretStore};

fn read(store: &dyn SecretStore, other: &dyn SecretStore, permit: Permit<'_>) {
    let metadata = Metadata::default();
    let _ = store.get(permit, &metadata);
    let _ = other.get(permit, &metadata);
}

fn main() {}
