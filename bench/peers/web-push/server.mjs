// Ringing browsers as one does by npm's web-push: a process that encrypts and signs each message, and sends so many at once. It keeps
// nothing and tries nothing again.
import http from "node:http";
import webpush from "web-push";

const AT_ONCE = 64;
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
const { publicKey, privateKey } = webpush.generateVAPIDKeys();
webpush.setVapidDetails("mailto:bench@example.com", publicKey, privateKey);

const details = (endpoint, keys, payload) =>
    webpush.generateRequestDetails({ endpoint, keys }, payload, { TTL: 3600, urgency: "high" });

// Its own sendNotification speaks https alone. What it makes is sent as the others send here: by http, on connections that are kept.
const send = (endpoint, keys, payload) =>
    new Promise((resolve, reject) => {
        const { method, headers, body } = details(endpoint, keys, payload);
        const request = http.request(endpoint, { method, headers, agent }, (response) => {
            response.resume();
            response.on("end", () =>
                response.statusCode === 201 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
            );
        });
        request.on("error", reject);
        request.end(body);
    });

async function sendAll({ origin, count, keys, payload }) {
    let next = 0;
    const sender = async () => {
        while (next < count) await send(`${origin}/push/${next++}`, keys, payload);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
    return {};
}

// What takes no network, by the processor time of this process.
function encryptAll({ origin, count, keys, payload }) {
    const before = process.cpuUsage();
    for (let n = 0; n < count; n++) details(`${origin}/push/${n}`, keys, payload);
    const { user, system } = process.cpuUsage(before);
    return { micros: user + system };
}

const server = http.createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    try {
        const task = request.url === "/encrypt" ? encryptAll : sendAll;
        response.end(JSON.stringify(await task(JSON.parse(text))));
    } catch (error) {
        console.error(error);
        response.writeHead(500).end();
    }
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
