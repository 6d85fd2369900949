// Package sum is what the mutants of the tests are made of.
package sum

// Of returns the sum of the numbers, and how many of them are negative.
func Of(numbers []int) (total, negative int) {
	for _, n := range numbers {
		total += n
		if n < 0 {
			negative++
		}
	}
	return total, negative
}
