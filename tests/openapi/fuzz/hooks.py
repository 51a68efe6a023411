"""What Schemathesis needs to know of Doorbell: how to sign in, and which requests end what they sign in by."""

import base64
import itertools
import json
import os
import random
import threading

import requests
import schemathesis

URL = os.environ["DOORBELL_URL"]

# Each of these ends the session that calls it, or may: they sign in anew every time.
ENDING = {"logout", "revokeToken", "endSession", "requestAccountDeletion", "cancelAccountDeletion"}

# After so many calls another user goes on, so that no user has as many devices as a user may have.
CALLS_PER_USER = 100

# Hypothesis keeps the module's own generator for itself.
chance = random.Random()

# Processes beside each other sign in with different numbers.
SHARE = int(os.environ.get("SHARE", "99"))
numbers = itertools.count(chance.randrange(1_000_000))
lock = threading.Lock()


# Kept open, as a client keeps it.
connection = requests.Session()


def claims(token):
    """What a token says of itself."""
    said = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))


class Person:
    """Somebody who has just signed in."""

    def __init__(self):
        with lock:
            number = f"53{SHARE:02}{next(numbers) % 1_000_000:06}"
        phone = {"countryCode": "90", "phoneNumber": number}
        sent = connection.post(f"{URL}/api/v1/auth/send-otp", json=phone, timeout=30)
        sent.raise_for_status()
        told = {**phone, "code": sent.json()["code"]}
        verified = connection.post(f"{URL}/api/v1/auth/verify-otp", json=told, timeout=30)
        verified.raise_for_status()
        self.access = verified.json()["accessToken"]
        self.refresh = verified.json()["refreshToken"]
        self.bearer = {"Authorization": f"Bearer {self.access}"}
        said = claims(self.access)
        self.user = said["sub"]
        self.session = said["sid"]
        self.fingerprint = f"fuzz-{number}"
        self.calls = 0


class Everybody(threading.local):
    """The user that a thread goes on with."""

    person = None

    def next(self):
        if self.person is None or self.person.calls >= CALLS_PER_USER:
            self.person = Person()
        self.person.calls += 1
        return self.person


everybody = Everybody()


def operation_id(operation):
    return operation.definition.raw.get("operationId")


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """Signs in as the operation asks."""

    def get(self, case, context):
        return Person() if operation_id(context.operation) in ENDING else everybody.next()

    def set(self, case, person, context):
        asked = {scheme for one in case.operation.definition.raw.get("security", []) for scheme in one}
        if "bearer" in asked:
            case.headers.update(person.bearer)
        if "authToken" in asked:
            case.headers["X-Auth-Token"] = person.access
            case.headers["X-User-Id"] = person.user
        shown = case.headers.get("x-fingerprint-id")
        # The first fingerprint that a session shows is pinned to it: most requests show that one, some another.
        if shown and chance.random() < 0.9:
            case.headers["x-fingerprint-id"] = person.fingerprint
        # A refresh token and a session's id cannot be guessed: half of the requests are told one.
        name = operation_id(context.operation)
        if name in ("revokeToken", "refreshTokens") and isinstance(case.body, dict) and chance.random() < 0.5:
            case.body["refreshToken"] = person.refresh
        if name == "endSession" and chance.random() < 0.5:
            case.path_parameters["id"] = person.session
