// Prints so many people's tokens, a line each.
import Fastify from "fastify";
import jwt from "@fastify/jwt";

const app = Fastify();
await app.register(jwt, { secret: process.env.SECRET });
const people = Number(process.argv[2]);
for (let person = 0; person < people; person++) console.log(app.jwt.sign({ sub: `user${person}` }, { expiresIn: "1d" }));
