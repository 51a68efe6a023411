-- One upsert of one table: what a registration costs at the least.
\set id random(1, :people)
INSERT INTO bare VALUES (:id, md5(:id::text), now())
    ON CONFLICT (id) DO UPDATE SET token = excluded.token, updated_at = excluded.updated_at;
