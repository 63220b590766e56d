/** Thrown inside decoders of protobuf where the bytes cannot go on; told to the sender. */
export class Malformed {
  readonly message: string;
  readonly atByte: number;
  constructor(message: string, atByte: number) {
    this.message = message;
    this.atByte = atByte;
  }
}
