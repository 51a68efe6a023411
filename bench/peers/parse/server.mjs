// Parse Server as its documentation starts it, on PostgreSQL.
import express from "express";
import { ParseServer } from "parse-server";

const port = Number(process.env.PORT);
const parse = new ParseServer({
    databaseURI: process.env.DATABASE_URL,
    appId: "bench",
    masterKey: "the master key of a benchmark",
    serverURL: `http://127.0.0.1:${port}/parse`,
    logLevel: "error",
    silent: true,
});
await parse.start();
const app = express();
app.use("/parse", parse.app);
app.listen(port, "127.0.0.1", () => console.log("listening"));
