use tower_dapr_token::Exempt;

fn main() {
    let _ = Exempt {};
}
