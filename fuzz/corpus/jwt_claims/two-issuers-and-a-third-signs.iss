j https://b
p {"iss":"https://c","aud":"dapr-app","exp":1767225900}
