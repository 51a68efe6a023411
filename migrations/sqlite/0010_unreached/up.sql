-- Users to whom a message found nothing to ring. Refers to nothing, as jobs do not; goes by its message's age, which its id tells.
CREATE TABLE unreached (
    message_id BLOB NOT NULL,
    user_id    BLOB NOT NULL,
    PRIMARY KEY (message_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX unreached_user ON unreached (user_id, message_id DESC);
