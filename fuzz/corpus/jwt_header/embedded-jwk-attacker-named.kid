h {"alg":"HS256","typ":"JWT","kid":"one-other","jwk":{"kty":"OKP","crv":"Ed25519","x":"dztlAyF4xTorHV9AHrIDY7Er3JDsBs1rKysvpHAyxPM","kid":"one-other"}}
