//! A program in which somebody else sets the default providers of the process while our layers serve requests (`T10`).

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
async fn t10_default_providers_that_come_later_change_nothing() {
    let scene = scene::Scene::new().await;
    scene.judge("before").await;
    poisoned::install();
    scene.judge("after").await;
    scene.roll_over().await;

    let another = scene::Scene::new().await;
    another.judge("built after").await;
    another.roll_over().await;
}
