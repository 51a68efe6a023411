import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { paths } from "./schema.js";

export type * from "./schema.js";

/** What a sign-in gives: the access token, and whose it is (Rocket.Chat's operations ask for both). */
export interface SignedIn {
  readonly accessToken: string;
  readonly userId?: string;
}

/** Every operation of every dialect, by method and path, with the types of its requests and answers. */
export type Doorbell = Client<paths>;

/**
 * A client of the server at `baseUrl`. `signedIn` is asked before each request, so that it may give the newest token.
 */
export function doorbell(baseUrl: string, signedIn: () => SignedIn | undefined = () => undefined): Doorbell {
  const credentials: Middleware = {
    onRequest({ request, schemaPath }) {
      const by = signedIn();
      // Under /v1/ an access token opens nothing.
      if (by === undefined || schemaPath.startsWith("/v1/")) return request;
      if (schemaPath.startsWith("/api/v1/push.")) {
        request.headers.set("X-Auth-Token", by.accessToken);
        if (by.userId !== undefined) request.headers.set("X-User-Id", by.userId);
      } else {
        request.headers.set("Authorization", `Bearer ${by.accessToken}`);
      }
      return request;
    },
  };
  const client = createClient<paths>({ baseUrl });
  client.use(credentials);
  return client;
}

/** A client of the server at `baseUrl` for a back end: it sends messages, and sees what became of them, by an API key. */
export function backEnd(baseUrl: string, apiKey: string): Doorbell {
  const credentials: Middleware = {
    onRequest({ request, schemaPath }) {
      if (schemaPath.startsWith("/v1/")) request.headers.set("Authorization", `Bearer ${apiKey}`);
      return request;
    },
  };
  const client = createClient<paths>({ baseUrl });
  client.use(credentials);
  return client;
}
