//! A program in which somebody else sets the default providers of the process before our layers are built (`T10`).

#[path = "it/authority.rs"]
mod authority;
#[path = "provider/poisoned.rs"]
mod poisoned;
#[path = "provider/scene.rs"]
mod scene;
#[allow(dead_code, reason = "other programs share this file")]
#[path = "it/signing.rs"]
mod signing;

#[tokio::test]
async fn t10_default_providers_that_were_there_first_are_not_asked() {
    poisoned::install();
    let scene = scene::Scene::new().await;
    scene.judge("once").await;
    scene.roll_over().await;
}
