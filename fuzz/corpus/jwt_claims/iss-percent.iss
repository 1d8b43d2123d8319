p {"iss":"https://issuer%2Eexample","aud":"dapr-app","sub":"caller","exp":1767225900,"iat":1767225590}
