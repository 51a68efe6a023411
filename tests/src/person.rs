//! People: their phones, and their way in.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::{Answer, Server};

/// A phone number, as sign-in takes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone {
    /// The country's calling code, without plus.
    pub country: String,
    /// The national digits.
    pub number: String,
}

impl Phone {
    /// One of ten million Turkish mobile numbers.
    pub fn nth(n: u32) -> Self {
        assert!(n < 10_000_000, "there are no more than ten million of them");
        Self {
            country: "90".to_owned(),
            number: format!("555{n:07}"),
        }
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Whose phone it was.
    pub phone: Phone,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// Who the access token speaks for (`sub`).
    pub user_id: String,
    /// Under which session (`sid`).
    pub session_id: String,
    /// The whole answer of verify-otp.
    pub answer: Value,
}

impl Server {
    /// Asks for a code and returns the answer.
    pub async fn send_otp(&self, phone: &Phone) -> Answer {
        let body = json!({"countryCode": phone.country, "phoneNumber": phone.number});
        self.post("/api/v1/auth/send-otp").json(&body).send().await
    }

    /// Asks for a code and returns it, as development mode shows it.
    pub async fn code_for(&self, phone: &Phone) -> String {
        let answer = self.send_otp(phone).await.expect(200);
        let body = answer.json();
        body["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no code in {answer}"))
            .to_owned()
    }

    /// Ends a person's session, as its owner does.
    pub async fn log_out(&self, person: &SignedIn) {
        let answer = self.post("/api/v1/auth/logout").by(person).send().await;
        answer.assert_status(200);
    }

    /// Tries a code and returns the answer.
    pub async fn verify_otp(&self, phone: &Phone, code: &str) -> Answer {
        let body = json!({"countryCode": phone.country, "phoneNumber": phone.number, "code": code});
        self.post("/api/v1/auth/verify-otp").json(&body).send().await
    }

    /// Signs in with that phone: a code asked for and given back.
    pub async fn sign_in(&self, phone: &Phone) -> SignedIn {
        let code = self.code_for(phone).await;
        let answer = self.verify_otp(phone, &code).await.expect(200).json();
        SignedIn::from_answer(phone, answer)
    }

    /// Trades a refresh token in and returns the answer.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh")
            .json(&json!({"refreshToken": token}))
            .send()
            .await
    }
}

impl SignedIn {
    /// From the answer of verify-otp.
    pub fn from_answer(phone: &Phone, answer: Value) -> Self {
        let token = |name: &str| {
            answer[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name} in {answer}"))
                .to_owned()
        };
        let (access, refresh) = (token("accessToken"), token("refreshToken"));
        let claims = claims(&access);
        let claim = |name: &str| {
            claims[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name} in {claims}"))
                .to_owned()
        };
        Self {
            phone: phone.clone(),
            access,
            refresh,
            user_id: claim("sub"),
            session_id: claim("sid"),
            answer,
        }
    }
}

/// What a token says, its signature not looked at.
fn claims(token: &str) -> Value {
    let payload = token
        .split('.')
        .nth(1)
        .unwrap_or_else(|| panic!("{token} is no JWT"));
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    serde_json::from_slice(&payload).expect("JSON claims")
}
