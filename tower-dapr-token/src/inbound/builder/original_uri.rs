//! The setting for a layer inside of an axum `nest`, feature `axum` (`X7`).

use super::RequireTokenBuilder;

/// A layer inside of a nested router of axum.
impl RequireTokenBuilder<'_> {
    /// Compares exemptions with the path that the request came with, not with what is left of it inside of an
    /// axum `nest`: [`OriginalUri`](axum::extract::OriginalUri) of axum 0.8 (`X7`).
    ///
    /// For a layer that has to be inside of a nested router. There, `http_health()` lets `/admin/healthz` pass,
    /// because the layer sees it as `/healthz`; with this it does not. A path to exempt is then written as it
    /// is sent, with every prefix: `.http_health_at("/admin/healthz")`.
    ///
    /// A router of axum keeps the original URI when it gets the request. A layer **around** the outermost router,
    /// or around a service without one, finds none: there nothing is exempt, CORS preflights included.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::get};
    /// use http::{Request, StatusCode};
    /// use tower::ServiceExt;
    /// use tower_dapr_token::RequireTokenLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = RequireTokenLayer::builder()
    ///     .token("a-token-of-16-bytes-or-more".parse()?)
    ///     .http_health_at("/admin/ready")
    ///     .exemptions_on_original_uri()
    ///     .build()?;
    /// let admin = Router::new()
    ///     .route("/ready", get(|| async { "fine" }))
    ///     .route("/admin/ready", get(|| async { "only looks like it" }))
    ///     .layer(layer);
    /// let app: Router = Router::new().nest("/admin", admin);
    ///
    /// let status = async |path: &str| {
    ///     let request = Request::get(path).body(Body::empty()).unwrap();
    ///     app.clone().oneshot(request).await.unwrap().status()
    /// };
    /// assert_eq!(status("/admin/ready").await, StatusCode::OK);
    /// assert_eq!(status("/admin/admin/ready").await, StatusCode::UNAUTHORIZED);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Security
    ///
    /// What is compared is what the caller sent. A middleware between the outer router and this layer that
    /// rewrites the path sends an exempt request elsewhere, without a token.
    #[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
    pub fn exemptions_on_original_uri(mut self) -> Self {
        self.exemptions.match_original_uri();
        self
    }
}
