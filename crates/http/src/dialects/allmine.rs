use crate::failure::Failure;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
pub(crate) fn mount(_config: &mut ServiceConfig) {}
pub(crate) fn render(failure: &Failure, _request: &HttpRequest) -> HttpResponse {
    crate::dialects::ocore::render(failure)
}
