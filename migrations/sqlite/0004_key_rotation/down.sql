ALTER TABLE keys DROP COLUMN retires_at;
ALTER TABLE keys DROP COLUMN starts_at;
