// The class alone: all that RxJS has beside it would make the first import a quarter slower.
export { Observable } from 'rxjs/internal/Observable'
