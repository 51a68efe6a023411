"""Who Schemathesis speaks for: people who sign in, and what they have that no generator could guess."""

import base64
import itertools
import json
import os
import random
import re
import threading
from datetime import datetime, timedelta, timezone

import requests

URL = os.environ["DOORBELL_URL"]

# What a back end shows.
BACK_END = {"Authorization": f"Bearer {os.environ['DOORBELL_API_KEY']}"}

# Hypothesis keeps the module's own generator for itself.
chance = random.Random()

# Processes beside each other sign in with different numbers.
SHARE = int(os.environ.get("SHARE", "99"))
numbers = itertools.count(chance.randrange(1_000_000))
lock = threading.Lock()

# Kept open, as a client keeps it.
connection = requests.Session()


def ask(method, path, **how):
    """An answer to a request that must succeed."""
    answer = connection.request(method, f"{URL}{path}", timeout=30, **how)
    answer.raise_for_status()
    return answer


def claims(token):
    """What a token says of itself."""
    said = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))


def ring():
    """A number that nobody had, as a body says it, with the code that was sent to it."""
    with lock:
        number = f"53{SHARE:02}{next(numbers) % 1_000_000:06}"
    phone = {"countryCode": "90", "phoneNumber": number}
    return {**phone, "code": ask("POST", "/api/v1/auth/send-otp", json=phone).json()["code"]}


class Person:
    """Somebody who has just signed in."""

    def __init__(self):
        told = ring()
        tokens = ask("POST", "/api/v1/auth/verify-otp", json=told).json()
        self.access = tokens["accessToken"]
        self.refresh = tokens["refreshToken"]
        self.bearer = {"Authorization": f"Bearer {self.access}"}
        said = claims(self.access)
        self.user = said["sub"]
        self.session = said["sid"]
        self.number = told["phoneNumber"]
        self.fingerprint = f"fuzz-{self.number}"
        self.calls = 0

    def telephone(self):
        """A device of theirs, active, with a token."""
        body = {"deviceId": "telephone", "platform": "ios", "environment": "production", "pushToken": f"token of {self.user}"}
        shown = {**self.bearer, "x-fingerprint-id": self.fingerprint}
        added = ask("POST", "/notifications/devices/add-device", json={**body, "mobileSettings": {}}, headers=shown)
        return added.json()["data"]["device"]

    def live_activity(self):
        """The id of a Live Activity on that device."""
        body = {"streamId": "s", "deviceId": self.telephone()["deviceId"], "liveActivityToken": "t", "activityId": f"a{self.calls}"}
        ask("POST", "/api/v1/notifications/live-activity-sessions", json=body, headers=self.bearer)
        return body["activityId"]

    def subscription(self):
        """The endpoint of a browser of theirs."""
        endpoint = f"https://updates.push.services.mozilla.com/wpush/v2/{self.user}"
        keys = {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }
        ask("POST", "/push/subscribe", json={"endpoint": endpoint, "keys": keys}, headers=self.bearer)
        return endpoint

    def message(self):
        """The id of a message to them, with a job."""
        self.subscription()
        # In a day, so that nobody is rung meanwhile.
        at = datetime.now(timezone.utc) + timedelta(days=1)
        body = {"to": {"users": [self.user]}, "notification": {"title": "Ring"}, "sendAt": at.isoformat()}
        return ask("POST", "/v1/messages", json=body, headers=BACK_END).json()["id"]

    def dying(self):
        """Asks for the deletion of their account."""
        ask("POST", "/api/v1/users/me/account-deletion", headers=self.bearer)


def version(page, parts):
    """The version in the paths of a page's parts."""
    return re.search(rf"{parts}([0-9a-f]{{16}})/", ask("GET", page).text)[1]
