/**
 * A connection that carries an import, once the owner has taken it over from HTTP. The client sends the lines, each as a
 * JSON text a line, and ends its side; the owner sends one line, `{ "value": … }` or `{ "error": … }`, maybe long before. An
 * object in the place of a text says that the client has given up.
 */
export const importProtocol = 'boxledger-import'
export const importPath = '/import'
