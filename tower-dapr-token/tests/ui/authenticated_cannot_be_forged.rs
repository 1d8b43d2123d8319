use tower_dapr_token::Authenticated;

fn main() {
    let _ = Authenticated { slot: Some(0) };
}
