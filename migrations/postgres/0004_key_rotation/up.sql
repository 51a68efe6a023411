-- When a key signs and when it retires. A key without `starts_at` was made by an earlier version, and signs from its creation.
ALTER TABLE keys ADD COLUMN starts_at timestamptz, ADD COLUMN retires_at timestamptz;
