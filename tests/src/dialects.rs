//! The errors of the four dialects, to the letter.

use serde_json::{Value, json};

use crate::Answer;

impl Answer {
    /// Asserts an Allmine error of that status, and returns the names of the fields that it blames.
    #[track_caller]
    pub fn assert_allmine(&self, status: u16) -> Vec<String> {
        self.assert_status(status);
        self.assert_content_type("application/json");
        let body = self.json();
        let errors: Vec<String> = serde_json::from_value(body["errors"].clone())
            .unwrap_or_else(|error| panic!("errors: {error}: {self}"));
        let (first, fields) = errors
            .split_first()
            .unwrap_or_else(|| panic!("no errors: {self}"));
        assert_eq!(first, allmine_message(status), "{self}");
        assert!(status == 400 || fields.is_empty(), "more than one error: {self}");
        let timestamp = body["timestamp"].as_str().unwrap_or_default();
        assert!(is_instant(timestamp), "timestamp: {self}");
        let expected = json!({"isSuccess": false, "statusCode": status, "data": null, "errors": errors,
            "timestamp": timestamp});
        assert_eq!(body, expected, "{self}");
        fields
            .iter()
            .map(|field| match field.split_once(": ") {
                Some((name, _)) => name.to_owned(),
                None => panic!("{field:?} names no field: {self}"),
            })
            .collect()
    }

    /// Asserts Rocket.Chat's 400 for that parameter (`id`, `type`, `value`, `appName`, `token`).
    #[track_caller]
    pub fn assert_rocket_param(&self, param: &str) {
        self.assert_status(400);
        self.assert_content_type("application/json");
        let kind = match param {
            "value" => "error-token-param-not-valid".to_owned(),
            param => format!("error-{param}-param-not-valid"),
        };
        let trouble = if param == "id" {
            "invalid"
        } else {
            "missing or invalid"
        };
        let message = format!("The required \"{param}\" body param is {trouble}. [{kind}]");
        assert_eq!(
            self.json(),
            json!({"success": false, "error": message, "errorType": kind}),
            "{self}"
        );
    }

    /// Asserts Rocket.Chat's error of that status, other than a parameter's 400.
    #[track_caller]
    pub fn assert_rocket(&self, status: u16) {
        self.assert_status(status);
        self.assert_content_type("application/json");
        let body = self.json();
        let expected = match status {
            401 => {
                let message = "You must be logged in to do this.";
                json!({"success": false, "error": message, "status": "error", "message": message})
            }
            404 => json!({"success": false, "error": "Resource not found"}),
            429 => {
                let seconds = self.header("retry-after").unwrap_or_default();
                let message = format!(
                    "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying \
                     this endpoint again. [error-too-many-requests]"
                );
                json!({"success": false, "error": message})
            }
            _ => json!({"success": false, "error": self.reason()}),
        };
        assert_eq!(body, expected, "{self}");
    }

    /// Asserts easyflow's 400 that names those parameters, in that order; none for a broken body.
    #[track_caller]
    pub fn assert_easyflow_params(&self, params: &[&str]) {
        self.assert_status(400);
        let message = format!("Invalid param: [{}]", params.join(", "));
        self.assert_easyflow_body(&message, "Bad Request");
    }

    /// Asserts easyflow's error of that status, other than 400.
    #[track_caller]
    pub fn assert_easyflow(&self, status: u16) {
        self.assert_status(status);
        let (method, path) = self.asked();
        let unknown = format!("Cannot {method} {path}");
        let (message, error) = match status {
            400 => panic!("a 400 of easyflow names its parameters: use assert_easyflow_params"),
            403 => ("Forbidden resource", "Forbidden"),
            404 => (unknown.as_str(), "Not Found"),
            _ => (self.reason(), self.reason()),
        };
        self.assert_easyflow_body(message, error);
    }

    #[track_caller]
    fn assert_easyflow_body(&self, message: &str, error: &str) {
        self.assert_content_type("application/json");
        assert_eq!(
            self.json(),
            json!({"message": message, "error": error, "statusCode": self.status()}),
            "{self}"
        );
    }

    /// Asserts a problem (RFC 9457) of that status and code.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        self.assert_status(status);
        self.assert_content_type("application/problem+json");
        let body = self.json();
        for member in ["type", "title", "detail"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {self}"
            );
        }
        assert_eq!(body["status"], Value::from(status), "{self}");
        assert_eq!(body["code"], Value::from(code), "{self}");
    }

    #[track_caller]
    fn assert_content_type(&self, expected: &str) {
        let found = self.header("content-type").unwrap_or_default();
        let essence = found.split(';').next().unwrap_or_default().trim();
        assert_eq!(essence, expected, "Content-Type: {self}");
    }
}

/// Whether `text` is an instant as every dialect writes it: `2026-01-15T10:30:00.000Z`.
pub fn is_instant(text: &str) -> bool {
    let form = b"dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == form.len()
        && text.bytes().zip(form).all(|(found, form)| match form {
            b'd' => found.is_ascii_digit(),
            form => found == *form,
        })
}

fn allmine_message(status: u16) -> &'static str {
    match status {
        400 => "Validation failed",
        401 => "Authentication required",
        403 => "Insufficient permissions",
        404 => "Resource not found",
        405 => "Method not allowed",
        409 => "Resource already exists or cannot be changed in its current state",
        413 => "Payload too large",
        429 => "Too many requests",
        503 => "Service unavailable",
        _ => panic!("Allmine has no error of status {status}"),
    }
}
