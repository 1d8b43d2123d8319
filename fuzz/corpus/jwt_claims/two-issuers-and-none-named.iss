j https://b
p {"aud":"dapr-app","exp":1767225900}
