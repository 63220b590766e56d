/** Numbers with their units, as the server's sentences have them too. */
export { type Quantity, threeDigits, percentQuantity, type UnitKind, quantity, quantityText } from '@nines/base/quantity.ts';
