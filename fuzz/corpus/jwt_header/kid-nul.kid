h {"alg":"HS256","typ":"JWT","kid":"one\u0000"}
