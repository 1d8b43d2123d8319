h {"alg":"HS256","typ":"JWT","kid":1}
