"""What Schemathesis needs to know of Doorbell: how to sign in, and what its operations are about."""

import threading

import schemathesis

from people import Person, chance, playground_version, ring

# Each of these ends the session that calls it, or may: they sign in anew every time.
ENDING = {"logout", "revokeToken", "endSession", "requestAccountDeletion", "cancelAccountDeletion"}

# After so many calls another user goes on, so that no user has as many devices as a user may have.
CALLS_PER_USER = 100


class Everybody(threading.local):
    """The user that a thread goes on with."""

    person = None

    def next(self):
        if self.person is None or self.person.calls >= CALLS_PER_USER:
            self.person = Person()
        self.person.calls += 1
        return self.person


everybody = Everybody()

# What an operation is told that is there, where what was generated would only ever be unknown.
BODIES = {
    "verifyOtp": lambda person: ring(),
    "refreshTokens": lambda person: {"refreshToken": Person().refresh},
    "revokeToken": lambda person: {"refreshToken": person.refresh},
    "registerLiveActivity": lambda person: {"deviceId": person.telephone()["deviceId"]},
    "deletePushToken": lambda person: {"token": person.telephone()["pushToken"]},
    "refreshDeviceToken": lambda person: {"deviceId": person.telephone()["deviceId"]},
    "updateDevice": lambda person: {"id": person.telephone()["id"]},
    "unsubscribeFromPush": lambda person: {"endpoint": person.subscription()},
    "unsubscribeFromPushUnderApi": lambda person: {"endpoint": person.subscription()},
}
PATHS = {
    "endSession": lambda person: {"id": person.session},
    "removeDeviceToken": lambda person: {"token": person.telephone()["pushToken"]},
    "removeLiveActivity": lambda person: {"activityId": person.live_activity()},
    "getPlaygroundPart": lambda person: {"version": playground_version(), "name": "playground.js"},
}
QUERIES = {
    "getDevice": lambda person: {"id": person.telephone()["id"]},
    "listDevices": lambda person: {"userId": person.user},
}


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """Signs in as the operation asks, and tells half of the requests of what is there."""

    def get(self, case, context):
        name = context.operation.definition.raw.get("operationId")
        return Person() if name in ENDING else everybody.next()

    def set(self, case, person, context):
        raw = case.operation.definition.raw
        asked = {scheme for one in raw.get("security", []) for scheme in one}
        if "bearer" in asked:
            case.headers.update(person.bearer)
        if "authToken" in asked:
            case.headers["X-Auth-Token"] = person.access
            case.headers["X-User-Id"] = person.user
        shown = case.headers.get("x-fingerprint-id")
        # The first fingerprint that a session shows is pinned to it: most requests show that one, some another.
        if shown and chance.random() < 0.9:
            case.headers["x-fingerprint-id"] = person.fingerprint
        if chance.random() < 0.5:
            self.tell(case, person, raw.get("operationId"))

    def tell(self, case, person, name):
        for place, known in ((case.body, BODIES), (case.path_parameters, PATHS), (case.query, QUERIES)):
            if name in known and isinstance(place, dict):
                place.update(known[name](person))
        if name == "cancelAccountDeletion":
            person.dying()
