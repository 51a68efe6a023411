/**
 * A push service for one Firefox: what Doorbell posts to it by HTTP (RFC 8030) it hands on by a WebSocket, in Mozilla's
 * protocol (mozilla-push-service.readthedocs.io/en/latest/design).
 */

import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";

import { WebSocketServer } from "ws";

/** How long the browser may take to tell what is waited for, in milliseconds. */
const PATIENCE = 60_000;

/** Starts it. The events `register`, `unregister` and `ack` say what the browser told. */
export async function startPushService() {
  const service = new PushService();
  await service.listen();
  return service;
}

class PushService extends EventEmitter {
  /** What was posted, in order: `{path, headers, body}`. */
  posts = [];
  /** What the browser subscribed and has not unsubscribed, by channel: the key that it named. */
  channels = new Map();

  #server = createServer((request, response) => this.#posted(request, response));
  #sockets = new WebSocketServer({ server: this.#server, handleProtocols: () => "push-notification" });
  #browser;

  constructor() {
    super();
    this.#sockets.on("connection", (socket) => {
      socket.on("message", (text) => this.#told(socket, JSON.parse(text)));
    });
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const { port } = this.#server.address();
    this.origin = `http://localhost:${port}`;
    this.address = `ws://localhost:${port}/`;
  }

  /** What the browser tells next of that kind. */
  async told(event) {
    const [message] = await once(this, event, { signal: AbortSignal.timeout(PATIENCE) });
    return message;
  }

  async stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The browser tells something. */
  #told(socket, message) {
    const answer = (body) => socket.send(JSON.stringify({ messageType: message.messageType, status: 200, ...body }));
    switch (message.messageType) {
      case "hello":
        this.#browser = socket;
        // One that comes back keeps its name, or it would drop its subscriptions.
        answer({ uaid: message.uaid || randomUUID().replaceAll("-", ""), use_webpush: true });
        break;
      case "register":
        this.channels.set(message.channelID, message.key);
        answer({ channelID: message.channelID, pushEndpoint: `${this.origin}/push/${message.channelID}` });
        this.emit("register", message);
        break;
      case "unregister":
        this.channels.delete(message.channelID);
        answer({ channelID: message.channelID });
        this.emit("unregister", message);
        break;
      case "ack":
        for (const update of message.updates) this.emit("ack", update);
        break;
      case undefined:
        socket.send("{}");
    }
  }

  /** Doorbell posts something. */
  async #posted(request, response) {
    const { url: path, headers } = request;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    this.posts.push({ path, headers, body });
    const channelID = path.replace("/push/", "");
    const end = (status, headers) => response.writeHead(status, headers).end();
    if (request.method !== "POST") return end(405);
    if (!this.channels.has(channelID)) return end(410);
    if (!/^[0-9]+$/.test(headers.ttl)) return end(400);
    const version = randomUUID();
    const notification = { messageType: "notification", channelID, version, data: body.toString("base64url") };
    this.#browser.send(JSON.stringify({ ...notification, headers: { encoding: headers["content-encoding"] } }));
    end(201, { Location: `${this.origin}/message/${version}` });
  }
}
