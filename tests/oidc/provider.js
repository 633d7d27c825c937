// An OpenID Connect provider for tests: `node provider.js '{"port": ..., "redirect": ..., "people": {...}}'`.
// `people` are logins with the claims that the provider makes of them; `twist` in them spoils their ID token.
import * as jose from "jose";
import * as oidc from "oidc-provider";

const { port, redirect, people } = JSON.parse(process.argv[2]);
const issuer = `http://localhost:${port}`;
const { privateKey } = await jose.generateKeyPair("RS256", { extractable: true });
const key = { ...(await jose.exportJWK(privateKey)), kid: "of-the-tests", alg: "RS256", use: "sig" };

const provider = new oidc.Provider(issuer, {
  clients: [{ client_id: "sonde", client_secret: "s3cret/+ &", redirect_uris: [redirect] }],
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email"], groups: ["groups"] },
  cookies: { keys: ["of the tests"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id], twist: undefined }) }),
  jwks: { keys: [key] },
  pkce: { required: () => true },
});

const now = () => Math.floor(Date.now() / 1000);
const signed = (claims, signer = privateKey) =>
  new jose.SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: key.kid }).sign(signer);
const plain = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

const TWISTS = {
  nonce: (claims) => signed({ ...claims, nonce: "of another login" }),
  "no nonce": ({ nonce, ...claims }) => signed(claims),
  issuer: (claims) => signed({ ...claims, iss: "https://other.example" }),
  audience: (claims) => signed({ ...claims, aud: "another client" }),
  expired: (claims) => signed({ ...claims, iat: now() - 900, exp: now() - 600 }),
  future: (claims) => signed({ ...claims, iat: now() + 900, exp: now() + 9000 }),
  nobody: ({ sub, ...claims }) => signed(claims),
  "another key": async (claims) => signed(claims, (await jose.generateKeyPair("RS256")).privateKey),
  none: (claims) => `${plain({ alg: "none" })}.${plain(claims)}.`,
  "our secret": (claims) =>
    new jose.SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from("s3cret/+ &".padEnd(32))),
  "public key as secret": async (claims) =>
    new jose.SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: key.kid })
      .sign(Buffer.from(await jose.exportSPKI(await jose.importJWK({ kty: key.kty, n: key.n, e: key.e }, "RS256")))),
  tampered: (claims, token) => {
    const [head, , tail] = token.split(".");
    return `${head}.${plain({ ...claims, sub: "root" })}.${tail}`;
  },
  "no token": () => undefined,
  "not a token": () => "a.b.c",
  "deep header": () => `${Buffer.from("[".repeat(20_000)).toString("base64url")}.e30.AA`,
  huge: () => "a".repeat(1_000_000),
};

provider.use(async (context, next) => {
  await next();
  const login = context.oidc?.account?.accountId;
  const twist = TWISTS[people[login]?.twist];
  if (context.path === "/token" && people[login]?.twist === "deep answer") {
    context.type = "json";
    context.body = `{"more": ${"[".repeat(100_000)}`;
  } else if (context.path === "/token" && context.body?.id_token && twist) {
    const token = context.body.id_token;
    context.body.id_token = await twist(jose.decodeJwt(token), token);
  }
});

provider.listen(port, "127.0.0.1");
