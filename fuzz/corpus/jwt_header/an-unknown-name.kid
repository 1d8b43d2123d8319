h {"alg":"HS256","kid":"two"}
