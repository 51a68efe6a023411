//! Bytes that are the same for everybody, compressed once.

use actix_web::http::header::AcceptEncoding;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, ETAG, Encoding, EntityTag, Header,
    IfNoneMatch, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};

/// Kept for a year without asking (RFC 8246).
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Kept, but asked for again each time.
const REVALIDATED: &str = "no-cache";

/// How hard brotli tries, 0 to 11.
const EFFORT: u32 = 9;

/// Bytes to serve, and the same in brotli (RFC 7932).
#[derive(Debug)]
pub(super) struct Asset {
    media_type: &'static str,
    plain: Bytes,
    brotli: Option<Bytes>,
    tag: EntityTag,
}

impl Asset {
    pub(super) fn new(media_type: &'static str, plain: impl Into<Bytes>) -> Self {
        let plain = plain.into();
        Self {
            media_type,
            brotli: compressed(&plain).filter(|small| small.len() < plain.len()),
            // Weak, because it stands for two codings of the same bytes (RFC 9110 §8.8.3.3).
            tag: EntityTag::new_weak(digest(&[&plain])),
            plain,
        }
    }

    /// The answer to a request whose path names these very bytes.
    pub(super) fn for_good(&self, request: &HttpRequest) -> HttpResponse {
        self.answer(request, FOR_GOOD)
    }

    /// The answer to a request whose path will one day name others.
    pub(super) fn revalidated(&self, request: &HttpRequest) -> HttpResponse {
        self.answer(request, REVALIDATED)
    }

    fn answer(&self, request: &HttpRequest, caching: &'static str) -> HttpResponse {
        let known = self.is_known_to(request);
        let mut response = if known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response
            .insert_header((CACHE_CONTROL, caching))
            .insert_header((ETAG, self.tag.to_string()))
            .insert_header((VARY, "accept-encoding"));
        if known {
            return response.finish();
        }
        response.insert_header((CONTENT_TYPE, self.media_type));
        match &self.brotli {
            Some(small) if takes_brotli(request) => response
                .insert_header((CONTENT_ENCODING, ContentEncoding::Brotli))
                .body(small.clone()),
            _ => response.body(self.plain.clone()),
        }
    }

    fn is_known_to(&self, request: &HttpRequest) -> bool {
        match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.tag)),
            Err(_) => false,
        }
    }
}

/// A short name of these bytes, fit for a path.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    use std::fmt::Write;

    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut text = String::with_capacity(16);
    for byte in hash.finalize().iter().take(8) {
        // A String takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn takes_brotli(request: &HttpRequest) -> bool {
    let offered = [Encoding::identity(), Encoding::brotli()];
    AcceptEncoding::parse(request)
        .ok()
        .filter(|_| {
            request
                .headers()
                .contains_key(actix_web::http::header::ACCEPT_ENCODING)
        })
        .and_then(|accepted| accepted.negotiate(offered.iter()))
        == Some(Encoding::brotli())
}

fn compressed(plain: &[u8]) -> Option<Bytes> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: EFFORT.cast_signed(),
        ..Default::default()
    };
    let mut small = Vec::new();
    let mut reader = plain;
    brotli::BrotliCompress(&mut reader, &mut small, &parameters).ok()?;
    Some(small.into())
}
