k oct32 -
x oct32 HS256
h {"alg":"HS256","kid":"one"}
