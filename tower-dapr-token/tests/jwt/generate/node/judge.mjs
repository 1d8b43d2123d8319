// Tells for every case whether panva/jose, with strict options, accepts it: "accept", "refuse: why" or "skip: why".
// Usage: node judge.mjs VECTORS > OUT, where `npm ci` ran.
import { readFileSync } from 'node:fs'
import { base64url, createLocalJWKSet, decodeProtectedHeader, importJWK, importSPKI, jwtVerify } from 'jose'

const vectors = process.argv[2]
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
const read = (name) => JSON.parse(readFileSync(`${vectors}/${name}.json`, 'utf8'))

// The options of jose that say what the rules say; null if it has none.
function options(rules, now) {
  const result = {
    requiredClaims: ['exp', 'aud', 'iss'], algorithms: ASYMMETRIC, currentDate: new Date(now * 1000),
  }
  for (const [rule, value] of Object.entries(rules)) {
    if (rule === 'issuer') result.issuer = value
    else if (rule === 'audience') result.audience = value
    else if (rule === 'leeway_s') result.clockTolerance = value
    else if (rule === 'algorithms') result.algorithms = value
    else if (rule === 'types' && value.length === 1) result.typ = value[0]
    else if (rule === 'sub' && value.exact) result.subject = value.exact
    else if (rule !== 'max_len') return null
  }
  return result
}

async function verify(token, keys, opts) {
  if (keys.keys) return jwtVerify(token, createLocalJWKSet(keys), opts)
  if (keys.secret_b64) return jwtVerify(token, base64url.decode(keys.secret_b64), opts)
  return jwtVerify(token, await importSPKI(keys.pem, decodeProtectedHeader(token).alg), opts)
}

async function attempt(run) {
  try {
    await run()
    return 'accept'
  } catch (error) {
    return `refuse: ${error.code ?? error.name}: ${error.message}`.split('\n')[0]
  }
}

const verdicts = {}
for (const name of ['interop', 'rfc', 'attacks', 'claims', 'wycheproof_style']) {
  const table = read(name)
  for (const c of table.cases) {
    const keys = typeof c.keys === 'string' ? table.key_sets[c.keys] : c.keys
    const opts = options({ ...table.rules, ...c.rules }, c.now ?? table.now)
    let verdict
    if (c.token === undefined) verdict = 'skip: not text'
    else if (opts === null) verdict = 'skip: no such rule'
    else if (keys.pem?.includes('RSA PUBLIC KEY')) verdict = 'skip: no PKCS#1'
    else verdict = await attempt(() => verify(c.token, keys, opts))
    verdicts[`${name}/${c.name}`] = verdict
  }
}

// Keys: a JWK is judged by importing it and by verifying its token, if it has one.
const file = read('keys')
const usual = (rules) => options({ ...file.rules, ...rules }, file.now)
for (const c of file.jwks) {
  verdicts[`keys/jwks/${c.name}`] = await attempt(async () => {
    const family = { RSA: 'RS256', oct: 'HS256', OKP: 'EdDSA', EC: c.jwk.crv === 'P-384' ? 'ES384' : 'ES256' }[c.jwk.kty]
    if (c.token) return jwtVerify(c.token, createLocalJWKSet({ keys: [c.jwk] }), usual(c.rules))
    return importJWK(c.jwk, c.jwk.alg ?? family)
  })
}
for (const c of file.sets) {
  verdicts[`keys/sets/${c.name}`] = await attempt(async () => {
    const set = createLocalJWKSet(JSON.parse(c.text))
    for (const t of c.tokens.filter((t) => t.expect === 'accept')) await jwtVerify(t.token, set, usual(c.rules))
  })
}
for (const c of file.pems) {
  verdicts[`keys/pems/${c.name}`] = await attempt(async () => {
    const alg = c.token ? decodeProtectedHeader(c.token).alg : /p256/.test(c.name) ? 'ES256' : /rsa/.test(c.name) ? 'RS256' : 'EdDSA'
    const key = await importSPKI(c.pem, alg)
    if (c.token) await jwtVerify(c.token, key, usual())
  })
}
process.stdout.write(JSON.stringify(verdicts))
