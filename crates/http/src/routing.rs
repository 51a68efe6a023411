//! From an operation's method and path to its handler, and from a handler's failure to its answer.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};

use futures_util::FutureExt;

use crate::api::Api;
use crate::call::Call;
use crate::dialect::Dialect;
use crate::failure::Failure;

/// What a handler gives.
pub(crate) type Answer = Result<HttpResponse, Failure>;

/// An operation: a method of a path, and what handles it.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) route: Route,
}

/// An operation of `dialect` handled by `handler`.
pub(crate) fn operation<H>(dialect: Dialect, method: Method, path: &'static str, handler: H) -> Operation
where
    H: AsyncFn(&mut Call) -> Answer + Clone + 'static,
{
    let route = web::route().method(method.clone()).to(
        move |api: web::Data<Api>, request: HttpRequest, payload: web::Payload| {
            let handler = handler.clone();
            async move {
                let mut call = Call::new(api, request, payload);
                // A request that breaks its handler must not take the worker's other requests with it.
                let handled = AssertUnwindSafe(handler(&mut call)).catch_unwind().await;
                let handled = handled.unwrap_or_else(|_| {
                    tracing::error!(path, "a handler panicked");
                    Err(Failure::Internal)
                });
                match handled {
                    Ok(answer) => answer,
                    Err(failure) => {
                        let failure = outranked(&call, failure).await;
                        dialect.render(&failure, &call.request)
                    }
                }
            }
        },
    );
    Operation { method, path, route }
}

/// Who may not enter learns nothing else: a session that is over outranks what is wrong with the body.
async fn outranked(call: &Call, failure: Failure) -> Failure {
    match &call.seen {
        Some((caller, shown)) if failure.precedes_admission() => {
            match call.api.doorbell.admit(*caller, shown.as_ref()).await {
                Ok(()) => failure,
                Err(error) => error.into(),
            }
        }
        _ => failure,
    }
}

/// Mounts operations, one resource a path; another method of a known path is 405 with `Allow`.
pub(crate) fn mount(config: &mut ServiceConfig, dialect: Dialect, operations: Vec<Operation>) {
    let mut resources: BTreeMap<&'static str, Vec<Operation>> = BTreeMap::new();
    for operation in operations {
        resources.entry(operation.path).or_default().push(operation);
    }
    for (path, operations) in resources {
        let mut methods: Vec<&str> = operations
            .iter()
            .map(|operation| operation.method.as_str())
            .collect();
        methods.sort_unstable();
        // Made once when a worker starts, for as long as the process lives.
        let allowed: &'static str = Box::leak(methods.join(", ").into_boxed_str());
        let mut resource = web::resource(path);
        for operation in operations {
            resource = resource.route(operation.route);
        }
        config.service(
            resource.default_service(web::to(move |request: HttpRequest| async move {
                dialect.render(&Failure::MethodNotAllowed(allowed), &request)
            })),
        );
    }
}

/// The answer of a path that no operation has, in the dialect of that path.
pub(crate) async fn unknown_path(request: HttpRequest) -> HttpResponse {
    Dialect::of(request.path()).render(&Failure::UnknownPath, &request)
}
