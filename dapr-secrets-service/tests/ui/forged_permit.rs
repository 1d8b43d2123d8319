use dapr_secrets_service::Permit;

fn main() {
    let _ = Permit {
        store: "vault",
        name: "root",
        requested: "root",
    };
}
