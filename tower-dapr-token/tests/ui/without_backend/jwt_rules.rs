// Keys of JWTs may be fetched, and no backend verifies what is signed with them.
use tower_dapr_token::{JwtRules, RemoteKeys, RequireTokenLayer};

fn main() {
    let keys = RemoteKeys::jwks("https://login.example.com/keys");
    let rules = JwtRules::new("https://login.example.com", "orders");
    let _ = RequireTokenLayer::builder().remote_keys(keys, rules);
}
