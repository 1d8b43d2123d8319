p {"iss":"https://issuer.example#x","aud":"dapr-app","sub":"caller","exp":1767225900,"iat":1767225590}
