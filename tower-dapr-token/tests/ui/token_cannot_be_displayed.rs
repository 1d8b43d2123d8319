use tower_dapr_token::Token;

fn main() {
    let token: Token = "a".parse().unwrap();
    println!("{token}");
}
