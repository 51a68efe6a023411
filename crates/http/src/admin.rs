//! The second listener's one resource. It has no part in the document: it is for those who run the server.

use actix_web::HttpResponse;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{self, ServiceConfig};

use crate::metrics::{Metrics, TEXT_FORMAT};

/// Mounts `/metrics`, of which the application data must hold the [`Metrics`], and nothing else.
pub fn configure_admin(config: &mut ServiceConfig) {
    let metrics = web::resource("/metrics")
        .route(web::get().to(told))
        .default_service(web::to(refused));
    config.service(metrics).default_service(web::to(nothing));
}

async fn told(metrics: web::Data<Metrics>) -> HttpResponse {
    match metrics.text() {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, TEXT_FORMAT))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

async fn refused() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, "GET"))
        .finish()
}

async fn nothing() -> HttpResponse {
    HttpResponse::NotFound().finish()
}
