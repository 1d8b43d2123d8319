h {"alg":"HS256","typ":"JWT","kid":"schl\u00fcssel"}
