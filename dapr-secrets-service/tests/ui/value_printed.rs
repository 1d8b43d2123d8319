use dapr_secrets_service::SecretValue;

fn main() {
    let value = SecretValue::from("hunter2");
    let _ = format!("{value}");
}
