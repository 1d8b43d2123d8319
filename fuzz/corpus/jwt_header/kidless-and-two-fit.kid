k oct32 - one
k oct64 - two
x oct32 HS256
h {"alg":"HS256"}
