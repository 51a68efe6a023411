// A device registry as one writes it by hand: a token checked, one table, one upsert a registration.
import Fastify from "fastify";
import jwt from "@fastify/jwt";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
await pool.query(`
    CREATE TABLE IF NOT EXISTS devices_by_hand (
        user_id text NOT NULL, device_id text NOT NULL, platform text NOT NULL, token text NOT NULL, timezone text,
        updated_at timestamptz NOT NULL, PRIMARY KEY (user_id, device_id)
    )`);

const app = Fastify({ logger: false });
await app.register(jwt, { secret: process.env.SECRET });
app.addHook("onRequest", (request) => request.jwtVerify());

const text = { type: "string", minLength: 1, maxLength: 4096 };
const body = {
    type: "object",
    required: ["token", "platform", "deviceId"],
    properties: { token: text, platform: { enum: ["ios", "android", "web"] }, deviceId: text, timezone: text },
};
app.post("/device-token", { schema: { body } }, async (request) => {
    const { token, platform, deviceId, timezone } = request.body;
    await pool.query({
        name: "register",
        text: `INSERT INTO devices_by_hand VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT (user_id, device_id) DO UPDATE
            SET platform = excluded.platform, token = excluded.token, timezone = excluded.timezone, updated_at = excluded.updated_at`,
        values: [request.user.sub, deviceId, platform, token, timezone],
    });
    return { isSuccess: true };
});
app.get("/devices", async (request) => {
    const found = await pool.query({
        name: "devices",
        text: "SELECT device_id, platform, token, timezone, updated_at FROM devices_by_hand WHERE user_id = $1",
        values: [request.user.sub],
    });
    return found.rows;
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
console.log("listening");
