// Signs with panva/jose, for interop.json; writes a list of tokens and the keys as jose exports them.
// Usage: node sign.mjs GENERATE > OUT, where `npm ci` ran; GENERATE is the folder with keys/ and signing.json.
import { readFileSync } from 'node:fs'
import { createPublicKey } from 'node:crypto'
import { SignJWT, base64url, exportJWK, importPKCS8, importSPKI } from 'jose'

const [home] = process.argv.slice(2)
const keys = `${home}/keys`
const signing = JSON.parse(readFileSync(`${home}/signing.json`, 'utf8'))
const version = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')).dependencies.jose

// A private key to sign with, and the public JWK as jose writes it.
async function load(name, alg) {
  if (name === 'oct') {
    const secret = base64url.decode(readFileSync(`${keys}/test-only-oct.b64`, 'utf8'))
    return [secret, await exportJWK(secret)]
  }
  const pem = readFileSync(`${keys}/test-only-${name}.pem`, 'utf8')
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'pem' })
  return [await importPKCS8(pem, alg), await exportJWK(await importSPKI(spki, alg, { extractable: true }))]
}

function sign(key, header) {
  return new SignJWT({})
    .setProtectedHeader(header)
    .setIssuer(signing.issuer)
    .setAudience(signing.audience)
    .setSubject('caller')
    .setIssuedAt(signing.now)
    .setNotBefore(signing.now)
    .setExpirationTime(signing.now + 300)
    .setJti('jose')
    .sign(key)
}

const entries = []
for (const [name, algorithms] of Object.entries(signing.algorithms)) {
  for (const alg of algorithms) {
    const [key, jwk] = await load(name, alg)
    entries.push({
      by: 'jose', version, key: name, alg,
      named: await sign(key, { alg, typ: 'at+jwt', kid: name }),
      nameless: await sign(key, { alg }),
      jwk: { ...jwk, kid: name, alg, use: 'sig' },
    })
  }
}
process.stdout.write(JSON.stringify(entries))
