//go:build !purego

#include "textflag.h"

// A byte of each, 16 times.
#define SIXTEEN(name, eight) \
	DATA name<>+0(SB)/8, $eight \
	DATA name<>+8(SB)/8, $eight \
	GLOBL name<>(SB), RODATA|NOPTR, $16

SIXTEEN(quote, 0x2222222222222222)
SIXTEEN(backslash, 0x5c5c5c5c5c5c5c5c)
SIXTEEN(comma, 0x2c2c2c2c2c2c2c2c)
SIXTEEN(colon, 0x3a3a3a3a3a3a3a3a)
SIXTEEN(opening, 0x7b7b7b7b7b7b7b7b)
SIXTEEN(closing, 0x7d7d7d7d7d7d7d7d)
SIXTEEN(fold, 0x2020202020202020)
SIXTEEN(control, 0x1f1f1f1f1f1f1f1f)

// For the low half of a byte the white space that ends in it, or a byte that does not.
DATA white<>+0(SB)/8, $0x8080808080808020
DATA white<>+8(SB)/8, $0x80800d80800a0980
GLOBL white<>(SB), RODATA|NOPTR, $16

// GATHER puts the top bits of the bytes of two vectors together: a mask.
#define GATHER(low, high, at) \
	VPMOVMSKB low, AX \
	VPMOVMSKB high, CX \
	SHLQ      $32, CX \
	ORQ       CX, AX  \
	MOVQ      AX, at(DI)

// EQUAL makes the mask of the bytes that are a certain one.
#define EQUAL(byte, at) \
	VBROADCASTI128 byte<>(SB), Y2 \
	VPCMPEQB       Y2, Y0, Y3     \
	VPCMPEQB       Y2, Y1, Y2     \
	GATHER(Y3, Y2, at)

// func classifyVectors(b *block, m *masks)
TEXT ·classifyVectors(SB), NOSPLIT, $0-16
	MOVQ    b+0(FP), SI
	MOVQ    m+8(FP), DI
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1

	EQUAL(quote, 0)

	// Multiplying by all ones without carries makes each bit the parity of those up to it.
	VMOVQ      AX, X2
	VPCMPEQB   X3, X3, X3
	VPCLMULQDQ $0, X3, X2, X2
	VMOVQ      X2, 64(DI)

	EQUAL(backslash, 8)

	// Brackets and braces differ in one bit.
	VBROADCASTI128 fold<>(SB), Y2
	VPOR           Y2, Y0, Y3
	VPOR           Y2, Y1, Y4
	VBROADCASTI128 opening<>(SB), Y2
	VPCMPEQB       Y2, Y3, Y5
	VPCMPEQB       Y2, Y4, Y6
	VBROADCASTI128 closing<>(SB), Y2
	VPCMPEQB       Y2, Y3, Y3
	VPCMPEQB       Y2, Y4, Y4
	GATHER(Y5, Y6, 16)
	GATHER(Y3, Y4, 24)

	EQUAL(comma, 32)
	EQUAL(colon, 40)

	VBROADCASTI128 white<>(SB), Y2
	VPSHUFB        Y0, Y2, Y3
	VPSHUFB        Y1, Y2, Y4
	VPCMPEQB       Y0, Y3, Y3
	VPCMPEQB       Y1, Y4, Y4
	GATHER(Y3, Y4, 48)

	// What is no ASCII has its top bit set already.
	VBROADCASTI128 control<>(SB), Y2
	VPMINUB        Y2, Y0, Y3
	VPMINUB        Y2, Y1, Y4
	VPCMPEQB       Y0, Y3, Y3
	VPCMPEQB       Y1, Y4, Y4
	VPOR           Y0, Y3, Y3
	VPOR           Y1, Y4, Y4
	GATHER(Y3, Y4, 56)

	VZEROUPPER
	RET
