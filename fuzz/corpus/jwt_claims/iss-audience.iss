p {"iss":"dapr-app","aud":"dapr-app","sub":"caller","exp":1767225900,"iat":1767225590}
