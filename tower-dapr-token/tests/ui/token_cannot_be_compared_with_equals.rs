use tower_dapr_token::Token;

fn main() {
    let a: Token = "a".parse().unwrap();
    let b: Token = "b".parse().unwrap();
    let _ = a == b;
}
