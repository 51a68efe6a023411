ALTER TABLE keys DROP COLUMN retires_at, DROP COLUMN starts_at;
