/** Sums whose error does not grow with the number of terms. Source: Neumaier 1974, the variant that Prometheus uses. */
export class Sum {
  sum = 0;
  compensation = 0;

  reset(): void {
    this.sum = 0;
    this.compensation = 0;
  }

  add(value: number): void {
    const { sum } = this;
    const next = sum + value;
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) this.compensation = 0;
    else if (Math.abs(sum) >= Math.abs(value)) this.compensation += sum - next + value;
    else this.compensation += value - next + sum;
    this.sum = next;
  }

  get total(): number {
    return this.sum + this.compensation;
  }
}
